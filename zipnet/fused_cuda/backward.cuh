// The backward phases: gradients of sums, last layer first, and of weights as they become known.
//
// Every gradient of a weight is made whole by one thread, in a fixed order, and handed over to
// learn() with the weight's place in the layout. Where a step is one presentation of plain SGD, the
// weight itself moves, and scale is the negative learning rate; otherwise the gradient is added to
// those of the batch, and scale is 1. No weight changes before the last thread that needs its old
// value has read it: a barrier, or the order of one thread's own instructions, stands between.
#pragma once
#include "loss.cuh"

template <int N, int WIDE = 1>
__device__ __forceinline__ void learn(int i, float scale, const Row<N>& g) {
    constexpr int into = AT_ONCE ? 0 : GRADIENTS;
    Row<N> w = row<N, WIDE>(into + i);
#pragma unroll
    for (int k = 0; k < N; k++) w[k] += scale * g[k];
    put<N, WIDE>(into + i, w);
}

// The first warp's share: H3 and the outputs; their deltas; the output layer and the biases learn.
__device__ __forceinline__ void outputs_and_back(int t, float scale, float share, int y) {
    if (t < 32) {
        const float h = third_layer(t);
        output_layer(h, t);
        if (t < 10) {
            const float delta = output_delta(t, share, y);
            a[DO + t] = delta;
            learn<1>(BO + t, scale, {delta});
        }
        __syncwarp();
        const Row<10> w = row<10, 2>(WO + t * ROW_OUT), deltas = row<10, 2>(DO);
        Row<10> g;
        Row<2> back = {};
#pragma unroll
        for (int k = 0; k < 10; k++) {
            back[k % 2] += w[k] * deltas[k];
            g[k] = h * deltas[k];
        }
        learn<10, 2>(WO + t * ROW_OUT, scale, g);
        const float delta = (back[0] + back[1]) * slope(h);
        a[D3 + t] = delta;
        learn<1>(B3 + t, scale, {delta});
    }
}

// Deltas of H2, and the third layer learns: w3 moves, or its gradients g3 grow. h2: the thread's
// unit of H2. The two lanes of a unit add up what comes back to it; one keeps the delta, one lets the
// bias learn.
__device__ __forceinline__ void second_deltas(
    Row<15>& w3, Row<15>& g3, float h2, float scale, int t) {
    const Row<15> d = row<15, 4>(D3 + t / 16 % 2 * 16);
    Row<15>& into = AT_ONCE ? w3 : g3;
    const float rate = scale * h2;
    Row<3> back = {};
#pragma unroll
    for (int i = 0; i < 15; i++) {
        back[i % 3] += w3[i] * d[i];
        into[i] += rate * d[i];
    }
    float total = back[0] + back[1] + back[2];
    total += __shfl_xor_sync(WARP, total, 16);
    const float delta = total * slope(h2);
    const int o = t / 32, p = t % 16;
    if (t / 16 % 2 == 0) {
        a[D2 + o * D2_PLANE + 4 + p] = delta;
    } else {
        learn<1>(B2 + 16 * o + p, scale, {delta});
    }
}

// Deltas of H1, and its biases learn. A warp has four planes c of H1, which two groups of H2 see; a
// lane works out what one of these groups sends back to rows 2y and 2y + 1 of a plane, and after
// adding up each of two lanes finishes one of the rows. Even rows and columns meet three rows and
// columns of the kernel, odd ones two. Rows of zeros above and below D2 stand for what lies beyond
// the border.
__device__ __forceinline__ void first_deltas(float scale, int t) {
    if (t < 96) {
        const int four = t / 32, c = 4 * four + t % 4, y = t / 4 % 4, half = t / 16 % 2;
        const int group = half == 0 ? four / 2 : (four == 1 ? 1 : 2);
        const int s = t % 4 + (four + (half == 0) > 1 ? 4 : 0);
        Row<16> back = {};
#pragma unroll 1
        for (int o = 4 * group; o < 4 * group + 4; o++) {
            const int d = D2 + o * D2_PLANE + 4 * y;
            const Row<25> w = row<25>(W2 + o * PLANE2 + s * 25);
#pragma unroll
            for (int i = 0; i < 3; i++) {
                const Row<4> deltas = row<4, 4>(d + 4 * i);
                spread(back, 0, deltas, w, 4 - 2 * i);
                if (i > 0) spread(back, 8, deltas, w, 5 - 2 * i);
            }
        }
        const Row<8> total = fold(back, 16);
        const int even_or_odd = 2 * y + half;
        const Row<8> h = row<8, 2>(A1 + c * A1_PLANE + (even_or_odd + 2) * A1_ROW + 2);
        Row<8> deltas;
#pragma unroll
        for (int x = 0; x < 8; x++) deltas[x] = total[x] * slope(h[x]);
        put<8, 4>(D1 + c * D1_PLANE + even_or_odd * D1_ROW, deltas);
        learn<8, 4>(B1 + c * PLANE1 + 8 * even_or_odd, scale, deltas);
    }
}

// H2w: a thread makes the gradients of row ky, input s, of the four planes of a group.
__device__ __forceinline__ void second_weights_learn(float scale, int t) {
    if (t < 120) {
        const int s = t / 5 % 8, ky = t % 5, group = t / 40;
        const int rows = A1 + plane_seen(group, s) * A1_PLANE + A1_ROW * ky;
        const int deltas = D2 + 4 * group * D2_PLANE + 4;
        Row<5> g[4] = {};
#pragma unroll
        for (int y = 0; y < 4; y++) {
            const Row<11> v = row<11, 4>(rows + 2 * A1_ROW * y);
#pragma unroll
            for (int j = 0; j < 4; j++)
                correlate(g[j], v, row<4, 4>(deltas + j * D2_PLANE + 4 * y));
        }
        const int weights = W2 + 4 * group * PLANE2 + s * 25 + 5 * ky;
#pragma unroll
        for (int j = 0; j < 4; j++) learn(weights + j * PLANE2, scale, g[j]);
    }
}

// H1w, beside it on two warps of their own: a thread takes rows q and q + 4 of H1 to the gradients
// of row ky for the four planes of a group; four lanes add theirs up, and each keeps a plane.
__device__ __forceinline__ void first_weights_learn(float scale, int t, int x) {
    if (128 <= t && t < 192) {
        const int u = min(t - 128, 59), q = t % 4, ky = u / 4 % 5, group = u / 20;
        Row<5> g[4] = {};
#pragma unroll
        for (int part = 0; part < 4; part++) {
            const int y = q + part / 2 * 4, half = part % 2;
            const Row<11> v = row<11, 4>(x + (2 * y + ky) * IMAGE_ROW + 8 * half);
            const int d = D1 + 4 * group * D1_PLANE + y * D1_ROW + 4 * half;
#pragma unroll
            for (int j = 0; j < 4; j++) correlate(g[j], v, row<4, 4>(d + j * D1_PLANE));
        }
        Row<20> all;
#pragma unroll
        for (int k = 0; k < 20; k++) all[k] = g[k / 5][k % 5];
        const Row<5> kept = fold(fold(all, 2), 1);
        if (t - 128 < 60) learn(W1 + (4 * group + q) * 25 + 5 * ky, scale, kept);
    }
}
