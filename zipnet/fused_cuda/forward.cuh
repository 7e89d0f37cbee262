// The forward phases. Between any two of them the whole block waits for itself.
//
// Each takes the number of this thread, t, and does the share of that thread. The convolutions are
// done by 96 threads, three warps: fewer threads with more outputs each read shared memory less, and
// that is what bounds these phases (see the package's header).
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

// Which H1 plane is input s (of 8) of a group (of 3) of H2 planes: reference.H2_INPUTS.
__device__ __forceinline__ int plane_seen(int group, int s) {
    return group == 1 || (group == 2 && s >= 4) ? s + 4 : s;
}

// H1 of the image in place x. A thread makes half a row of two planes, 8 units: planes p and p + 6.
// Neighbouring lanes differ in p and share the pixels.
__device__ __forceinline__ void first_layer(int t, int x) {
    if (t < 96) {
        const int p = t % 6, y = t / 6 % 8, half = t / 48;
        const Row<25> low = row<25>(W1 + p * 25), high = row<25>(W1 + (p + 6) * 25);
        Row<8> sums = {};
#pragma unroll
        for (int ky = 0; ky < 5; ky++) {
            const Row<11> v = row<11, 4>(x + (2 * y + ky) * IMAGE_ROW + 8 * half);
            convolve(sums, 0, v, low, ky);
            convolve(sums, 4, v, high, ky);
        }
#pragma unroll
        for (int plane = 0; plane < 2; plane++) {
            Row<4> h = row<4, 4>(B1 + (p + 6 * plane) * PLANE1 + 8 * y + 4 * half);
#pragma unroll
            for (int k = 0; k < 4; k++) h[k] = activate(h[k] + sums[4 * plane + k]);
            put<4, 2>(A1 + (p + 6 * plane) * A1_PLANE + (y + 2) * A1_ROW + 4 * half + 2, h);
        }
    }
}

// H2. A thread takes input s of a group to rows y and y + 1 of a pair of planes, 16 sums; eight
// lanes add theirs up, and each finishes two units. Lanes that meet in a read of H1 see four planes
// in a row, at two heights that lie in different banks.
__device__ __forceinline__ void second_layer(int t) {
    if (t < 96) {
        const int s = t % 4 + t / 8 % 2 * 4, y = t / 4 % 2 * 2, o = t / 16 * 2;
        const int rows = A1 + plane_seen(o / 4, s) * A1_PLANE + 2 * y * A1_ROW;
        const int weights = W2 + o * PLANE2 + s * 25;
        const Row<25> w[2] = {row<25>(weights), row<25>(weights + PLANE2)};
        Row<16> sums = {};
#pragma unroll
        for (int r = 0; r < 7; r++) {
            const Row<11> v = row<11, 4>(rows + r * A1_ROW);
#pragma unroll
            for (int j = 0; j < 4; j++) {
                const int plane = j / 2, ky = r - 2 * (j % 2);
                if (0 <= ky && ky < 5) convolve(sums, 4 * j, v, w[plane], ky);
            }
        }
        const Row<2> total = fold(fold(fold(sums, 8), 2), 1);  // by plane, by row, by halves of it
        const int unit = 16 * (o + t / 8 % 2) + 4 * (y + t / 2 % 2) + t % 2 * 2;
        Row<2> h = row<2, 2>(B2 + unit);
#pragma unroll
        for (int k = 0; k < 2; k++) h[k] = activate(h[k] + total[k]);
        put<2, 2>(A2 + unit, h);
    }
}

// H3w is in registers, 15 weights a thread: a warp has a plane of H2, a lane a unit of it and half of
// H3. What each plane gives H3, unit 15 half + i in place 16 half + i; returns the thread's unit of
// H2.
__device__ __forceinline__ float third_layer_sums(const Row<15>& w3, int t) {
    const float h = a[A2 + t / 32 * 16 + t % 16];
    Row<16> sums = {};
#pragma unroll
    for (int i = 0; i < 15; i++) sums[i] = h * w3[i];
    a[SUMS + t] = fold(fold(fold(fold(sums, 8), 4), 2), 1)[0];
    return h;
}

// H3, a unit a lane, from its twelve sums in three chains. Lanes 15 and 31 have none: their weights
// and what comes of them are zeros.
__device__ __forceinline__ float third_layer(int t) {
    Row<3> chains = {};
#pragma unroll
    for (int plane = 0; plane < 12; plane++) chains[plane % 3] += a[SUMS + 32 * plane + t];
    return activate(a[B3 + t] + (chains[0] + chains[1] + chains[2]));
}

// The outputs, one for two lanes, from a unit h of H3 in each.
__device__ __forceinline__ void output_layer(float h, int t) {
    const Row<10> w = row<10, 4>(WO + t * ROW_OUT);
    Row<16> sums = {};
#pragma unroll
    for (int k = 0; k < 10; k++) sums[k] = h * w[k];
    float total = fold(fold(fold(fold(sums, 16), 8), 4), 2)[0];
    total += __shfl_xor_sync(WARP, total, 1);
    const int k = t / 2;
    if (k < 10 && t % 2 == 0) {
        total += a[BO + k];
        a[AO + k] = FLAT ? total : scaled_tanh(total, OUT_AMPLITUDE, OUT_STEEPNESS);
    }
    __syncwarp();
}

// All of it but the outputs, which the first warp makes alone; returns the thread's unit of H2.
__device__ __forceinline__ float forward(const Row<15>& w3, int t, int x) {
    first_layer(t, x);
    __syncthreads();
    second_layer(t);
    __syncthreads();
    const float h2 = third_layer_sums(w3, t);
    __syncthreads();
    return h2;
}
