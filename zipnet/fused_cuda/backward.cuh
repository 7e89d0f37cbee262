// The backward phases: gradients of sums, last layer first, and of weights as they become known.
//
// Every gradient of a weight is made whole by one thread, in a fixed order, and handed over as
// into[i] += scale * gradient, i being the weight's place in the layout. Where a step is one
// presentation of plain SGD, `into` is the weights themselves and scale the negative learning rate;
// otherwise it is the sum of the batch's gradients, and scale is 1. No weight changes before the
// last thread that needs its old value has read it: a barrier, or the order of one thread's own
// instructions, stands between.
#pragma once
#include "loss.cuh"

// Hand over the gradients of neighbouring weights. All are loaded before one is stored, because a
// store may not be overtaken by the loads that the program writes after it.
template <int N>
__device__ __forceinline__ void add(float* into, float scale, const Row<N>& g) {
    Row<N> w;
#pragma unroll
    for (int k = 0; k < N; k++) w[k] = into[k];
#pragma unroll
    for (int k = 0; k < N; k++) into[k] = w[k] + scale * g[k];
}

// Where the delta of unit u of H2 lies: (o 12, y 4, x 4) in rows of zeros.
__device__ __forceinline__ int place_in_d2(int u) { return D2 + u / 16 * D2_PLANE + 4 + u % 16; }

// Deltas of H3, and the output layer learns: unit n of H3 a thread, and its biases beside it. A
// thread works out the ten deltas of the outputs for itself, which saves a barrier.
__device__ __forceinline__ void third_deltas(float* into, float scale, int t, float share) {
    if (t < 30 || (32 <= t && t < 42)) {
        Softmax of = {};
        if (CROSS_ENTROPY) of = softmax();
        if (t < 30) {
            const float h = a[A3 + t];
            const int weights = WO + t * ROW_OUT;
            float back = 0.0f;
#pragma unroll
            for (int k = 0; k < 10; k++) {
                const float delta = share * output_delta(k, of);
                back += delta * a[weights + k];
                into[weights + k] += scale * (h * delta);
            }
            a[D3 + t] = back * slope(h);
        } else {
            const int k = t - 32;
            into[BO + k] += scale * (share * output_delta(k, of));
        }
    }
}

// Deltas of H2, and the third layer learns: row t of H3w a thread, ten weights at a time.
__device__ __forceinline__ void second_deltas(float* into, float scale, int t) {
    if (t < 192) {
        const float h = a[A2 + t], rate = scale * h;
        float back = 0.0f;
#pragma unroll
        for (int third = 0; third < 3; third++) {
            const int i = W3 + t * ROW3 + 10 * third;
            const Row<10> w = row<10>(i), d = row<10>(D3 + 10 * third);
            back += ((w[0] * d[0] + w[1] * d[1]) + (w[2] * d[2] + w[3] * d[3])) +
                    ((w[4] * d[4] + w[5] * d[5]) +
                     ((w[6] * d[6] + w[7] * d[7]) + (w[8] * d[8] + w[9] * d[9])));
            add(into + i, rate, d);
        }
        a[place_in_d2(t)] = back * slope(h);
    } else if (t < 222) {
        const int n = t - 192;
        into[B3 + n] += scale * a[D3 + n];
    }
}

// The two groups of H2 planes that see H1 plane c: half 0 is the lower, half 1 the higher.
__device__ __forceinline__ int group_that_sees(int c, int half) {
    const int third = c / 4;
    return half == 0 ? (third == 2 ? 1 : 0) : (third == 1 ? 1 : 2);
}

// What one of the two groups of H2 planes that see plane c sends back to its rows 2y and 2y + 1.
// Even rows and columns meet three rows and columns of the kernel, odd ones two. Rows of zeros above
// and below D2 stand for what lies beyond the border.
__device__ __forceinline__ void first_delta_sums(int t) {
    if (t < 96) {
        const int c = t % 12, half = t / 12 % 2, y = t / 24;
        const int group = group_that_sees(c, half);
        const int s = c >= 4 && (group == 1 || c >= 8) ? c - 4 : c;
        Row<8> even = {}, odd = {};
#pragma unroll 1
        for (int o = 4 * group; o < 4 * group + 4; o++) {
            const int d = D2 + o * D2_PLANE + 4 * y, w = W2 + o * PLANE2 + 25 * s;
            const Row<4> above = row<4>(d), here = row<4>(d + 4), below = row<4>(d + 8);
            spread(even, above, row<5>(w + 20));
            spread(even, here, row<5>(w + 10));
            spread(even, below, row<5>(w));
            spread(odd, here, row<5>(w + 15));
            spread(odd, below, row<5>(w + 5));
        }
        const int into = SUMS + half * SUMS1 + c * PLANE1 + 16 * y;
        put(into, even);
        put(into + 8, odd);
    }
}

// H2b, beside first_delta_sums() on threads that it leaves idle.
__device__ __forceinline__ void second_biases_learn(float* into, float scale, int t) {
    if (192 <= t) into[B2 + t - 192] += scale * a[place_in_d2(t - 192)];
}

// Deltas of H1, two units a thread, and its biases learn.
__device__ __forceinline__ void first_deltas(float* into, float scale, int t) {
#pragma unroll
    for (int e = t; e < 768; e += THREADS) {
        const int c = e / 64, y = e % 64 / 8, x = e % 8, i = c * PLANE1 + e % 64;
        const float h = a[A1 + c * A1_PLANE + (y + 2) * A1_ROW + x + 2];
        const float delta = (a[SUMS + i] + a[SUMS + SUMS1 + i]) * slope(h);
        a[D1 + c * D1_PLANE + y * D1_ROW + x] = delta;
        into[B1 + i] += scale * delta;
    }
}

// H2w: a thread makes the gradients of row ky, input s, of the four planes of a group.
__device__ __forceinline__ void second_weights_learn(float* into, float scale, int t) {
    if (t < 120) {
        const int s = t % 8, ky = t / 8 % 5, group = t / 40;
        const int rows = A1 + plane_seen(group, s) * A1_PLANE + A1_ROW * ky;
        const int deltas = D2 + 4 * group * D2_PLANE + 4;
        Row<5> g[4] = {};
#pragma unroll 1
        for (int y = 0; y < 4; y++) {
            const Row<11> v = row<11>(rows + 2 * A1_ROW * y);
#pragma unroll
            for (int j = 0; j < 4; j++) correlate(g[j], v, row<4>(deltas + j * D2_PLANE + 4 * y));
        }
        float* weights = into + W2 + 4 * group * PLANE2 + 25 * s + 5 * ky;
#pragma unroll
        for (int j = 0; j < 4; j++) add(weights + j * PLANE2, scale, g[j]);
    }
}

// What row y of H1 adds to the gradients of row ky of H1w, for the four planes of a group. It runs
// beside second_weights_learn(), four warps each.
__device__ __forceinline__ void first_weight_sums(int t) {
    if (128 <= t && t < 248) {
        const int u = t - 128, y = u % 8, ky = u / 8 % 5, group = u / 40;
        Row<5> g[4] = {};
#pragma unroll 1
        for (int half = 0; half < 2; half++) {
            const Row<11> v = row<11>(X + (2 * y + ky) * IMAGE_ROW + 8 * half);
            const int d = D1 + 4 * group * D1_PLANE + y * D1_ROW + 4 * half;
#pragma unroll
            for (int j = 0; j < 4; j++) correlate(g[j], v, row<4>(d + j * D1_PLANE));
        }
        const int sums = SUMS + y * SUMS1W + 100 * group + 5 * ky;
#pragma unroll
        for (int j = 0; j < 4; j++) put(sums + 25 * j, g[j]);
    }
}

// H1w, a weight a thread, from its eight sums in order.
__device__ __forceinline__ void first_weights_learn(float* into, float scale, int t) {
    if (t < 300) {
        float total = 0.0f;
        for (int y = 0; y < 8; y++) total += a[SUMS + y * SUMS1W + t];
        into[W1 + t] += scale * total;
    }
}
