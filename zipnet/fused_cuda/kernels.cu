// The kernels where a step is one presentation, compiled for the choices of a recipe: `learn` and
// `answer`.
//
// A thread block is one network. Its weights are read from global memory when the launch begins and
// written back when it ends; in between, thousands of presentations touch global memory only for the
// next image, which is asked for a step ahead, for the loss, and for AdamW's moments.
#include "presentation.cuh"

// learn<<<replicas, THREADS, shared bytes>>>: every network takes steps of one presentation each.
//
// weights, first, second: (replicas, WEIGHTS), updated in place; AdamW alone uses the moments.
// x: (steps, 256), y: (steps, 10); rates: (replicas,) learning rates. losses: (replicas, steps),
// written. taken: updates before this launch.
extern "C" __global__ void __launch_bounds__(THREADS, LEARNERS) learn(
    float* weights, float* first, float* second, const float* __restrict__ x,
    const float* __restrict__ y, const float* __restrict__ rates, float* losses, int steps,
    float decay, int taken) {
    int t = threadIdx.x;
    const int replica = blockIdx.x;
    const float rate = rates[replica];
    weights += replica * WEIGHTS;
    first += replica * WEIGHTS;
    second += replica * WEIGHTS;

    Own own = {begin(weights, t), {}, AT_ONCE ? -rate : 1.0f, 1.0f};
    __syncthreads();
    if (steps > 0) keep(fetch(x, y, 0, t), place_of(0), t);
    for (int step = 0; step < steps; step++) {
        __syncthreads();
        forget(t);
        float total = 0.0f;
        const float ahead = fetch(x, y, min(step + 1, steps - 1), t);
        present(own, total, place_of(step), ahead, place_of(step + 1), t);
        if (!AT_ONCE) {
            __syncthreads();
            const Descent descent(rate, decay, taken + step + 1);
            for (int i = t; i < W3; i += THREADS) {
                descent.move(a[i], a[GRADIENTS + i], first + i, second + i);
                a[GRADIENTS + i] = 0.0f;
            }
#pragma unroll
            for (int k = 0; k < 15; k++) {
                const int i = W3 + THREADS * k + t;
                descent.move(own.w3[k], own.g3[k], first + i, second + i);
                own.g3[k] = 0.0f;
            }
        }
        if (t == LOSS_THREAD) losses[replica * steps + step] = total;
    }
    __syncthreads();
    for (int i = t; i < W3; i += THREADS) weights[i] = a[i];
#pragma unroll
    for (int k = 0; k < 15; k++) weights[W3 + THREADS * k + t] = own.w3[k];
}

// answer<<<(blocks, replicas), THREADS, shared bytes>>>: every network answers every digit.
//
// weights: (replicas, WEIGHTS), x: (digits, 256); out: (replicas, digits, 10), written. Block b of a
// replica answers digits b, b + blocks and so on.
extern "C" __global__ void __launch_bounds__(THREADS) answer(
    const float* __restrict__ weights, const float* __restrict__ x, float* out, int digits) {
    int t = threadIdx.x;
    const int replica = blockIdx.y;
    const Row<15> w3 = begin(weights + replica * WEIGHTS, t);
    for (int number = blockIdx.x; number < digits; number += gridDim.x) {
        __syncthreads();
        forget(t);
        if (t < TARGETS_FROM) keep(x[256 * number + t], X, t);
        __syncthreads();
        forward(w3, t, X);
        if (t < 32) {
            output_layer(third_layer(t), t);
            if (t < 10) out[10 * (replica * digits + number) + t] = a[AO + t];
        }
    }
}
