// The forward phases. Between any two of them the whole block waits for itself.
//
// Each takes the number of this thread, t, and does the share of that thread. The two convolutions
// are done by 96 threads, three warps: fewer threads with more outputs each read shared memory less,
// and that is what bounds these phases (see the package's header).
#pragma once
#include "rows.cuh"

// amplitude x tanh(steepness x sum); both are 1 for the plain tanh, and cost nothing then.
__device__ __forceinline__ float scaled_tanh(float sum, float amplitude, float steepness) {
    return amplitude * tanhf(steepness * sum);
}

// Its derivative, from its result h.
__device__ __forceinline__ float scaled_slope(float h, float amplitude, float steepness) {
    return steepness * (amplitude - h * h * (1.0f / amplitude));
}

// A hidden unit: tanh, or the positive part; a NaN stays one, so that divergence shows.
__device__ __forceinline__ float activate(float sum) {
    if (RELU) return sum < 0.0f ? 0.0f : sum;
    return scaled_tanh(sum, AMPLITUDE, STEEPNESS);
}

// Derivative of activate(), from its result h.
__device__ __forceinline__ float slope(float h) {
    if (RELU) return h > 0.0f ? 1.0f : 0.0f;
    return scaled_slope(h, AMPLITUDE, STEEPNESS);
}

__device__ __forceinline__ Row<4> activate(const Row<4>& s) {
    return {activate(s[0]), activate(s[1]), activate(s[2]), activate(s[3])};
}

// Which H1 plane is input s (of 8) of a group (of 3) of H2 planes: reference.H2_INPUTS.
__device__ __forceinline__ int plane_seen(int group, int s) {
    return group == 1 || (group == 2 && s >= 4) ? s + 4 : s;
}

// H1. A thread makes half a row of two planes, 8 units: planes p and p + 6, row y. Neighbouring
// lanes differ in p: they share the pixels, and their weights lie 25 apart.
__device__ __forceinline__ void first_layer(int t) {
    if (t < 96) {
        const int p = t % 6, q = p + 6, half = t / 6 % 2, y = t / 12;
        const int bias = B1 + 8 * y + 4 * half;
        Row<4> low = row<4>(bias + p * PLANE1), high = row<4>(bias + q * PLANE1);
#pragma unroll 1
        for (int ky = 0; ky < 5; ky++) {
            const Row<11> v = row<11>(X + (2 * y + ky) * IMAGE_ROW + 8 * half);
            convolve(low, v, row<5>(W1 + 25 * p + 5 * ky));
            convolve(high, v, row<5>(W1 + 25 * q + 5 * ky));
        }
        const int into = A1 + (y + 2) * A1_ROW + 4 * half + 2;
        put(into + p * A1_PLANE, activate(low));
        put(into + q * A1_PLANE, activate(high));
    }
}

// What each input plane gives H2: a thread takes input s of a group to row y of its four planes.
__device__ __forceinline__ void second_layer_sums(int t) {
    if (t < 96) {
        const int s = t % 8, group = t / 8 % 3, y = t / 24;
        const int rows = A1 + plane_seen(group, s) * A1_PLANE + 2 * y * A1_ROW;
        const int weights = W2 + 4 * group * PLANE2 + 25 * s;
        Row<4> sums[4] = {};
#pragma unroll 1
        for (int ky = 0; ky < 5; ky++) {
            const Row<11> v = row<11>(rows + A1_ROW * ky);
#pragma unroll
            for (int j = 0; j < 4; j++)
                convolve(sums[j], v, row<5>(weights + j * PLANE2 + 5 * ky));
        }
        const int into = SUMS + s * SUMS2 + 4 * group * SUMS2_PLANE + 4 * y;
#pragma unroll
        for (int j = 0; j < 4; j++) put(into + j * SUMS2_PLANE, sums[j]);
    }
}

// H2, a unit a thread, from its eight sums in order.
__device__ __forceinline__ void second_layer(int t) {
    if (t < 192) {
        float total = a[B2 + t];
        const int place = SUMS + t / 16 * SUMS2_PLANE + t % 16;
        for (int s = 0; s < 8; s++) total += a[place + s * SUMS2];
        a[A2 + t] = activate(total);
    }
}

// What part q of H2 (every 32nd unit from q) gives units n to n + 2 of H3: ten warps.
__device__ __forceinline__ void third_layer_sums(int t) {
    if (t < 320) {
        const int q = t % 32, n = 3 * (t / 32);
        Row<3> sums = {};
#pragma unroll
        for (int i = 0; i < 6; i++) {
            const int r = q + 32 * i;
            const float h = a[A2 + r];
            const Row<3> w = row<3>(W3 + r * ROW3 + n);
#pragma unroll
            for (int j = 0; j < 3; j++) sums[j] += h * w[j];
        }
#pragma unroll
        for (int j = 0; j < 3; j++) a[SUMS + (n + j) * SUMS3 + q] = sums[j];
    }
}

// H3, a unit a thread, from its 32 sums: four chains of eight, so that additions overlap.
__device__ __forceinline__ void third_layer(int t) {
    if (t < 30) {
        Row<4> chains = {};
        const int place = SUMS + t * SUMS3;
#pragma unroll
        for (int q = 0; q < 8; q++)
#pragma unroll
            for (int chain = 0; chain < 4; chain++) chains[chain] += a[place + 8 * chain + q];
        const float total = (chains[0] + chains[1]) + (chains[2] + chains[3]);
        a[A3 + t] = activate(a[B3 + t] + total);
    }
}

// The outputs, one a thread, in three chains of ten.
__device__ __forceinline__ void output_layer(int t) {
    if (t < 10) {
        Row<3> chains = {};
#pragma unroll
        for (int n = 0; n < 10; n++)
#pragma unroll
            for (int chain = 0; chain < 3; chain++)
                chains[chain] += a[A3 + 10 * chain + n] * a[WO + (10 * chain + n) * ROW_OUT + t];
        const float total = a[BO + t] + (chains[0] + chains[1] + chains[2]);
        a[AO + t] = FLAT ? total : scaled_tanh(total, OUT_AMPLITUDE, OUT_STEEPNESS);
    }
}

__device__ __forceinline__ void forward(int t) {
    first_layer(t);
    __syncthreads();
    second_layer_sums(t);
    __syncthreads();
    second_layer(t);
    __syncthreads();
    third_layer_sums(t);
    __syncthreads();
    third_layer(t);
    __syncthreads();
    output_layer(t);
    __syncthreads();
}
