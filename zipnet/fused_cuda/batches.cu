// The kernels where a step is a batch, compiled for the choices of a recipe: `slice`, then `descend`.
//
// The digits of a batch need only the weights that the batch before left, so they are spread over the
// GPU. A block has a copy of a network and goes through a slice of the batch; then the slices are
// added up, always in the same order, and the weights move.
#include "presentation.cuh"

// slice<<<(slices, replicas), THREADS, shared bytes>>>: block s of a replica takes digits s, s + slices
// and so on, and leaves their gradients in row s of the replica's sums. No more slices than digits.
//
// weights: (replicas, WEIGHTS); x: (batch, 256), y: (batch, 10); sums: (replicas, slices,
// WEIGHTS + 1), written: gradients of the mean loss of the batch, and what the slice adds to it.
extern "C" __global__ void __launch_bounds__(THREADS, LEARNERS) slice(
    const float* __restrict__ weights, const float* __restrict__ x, const float* __restrict__ y,
    float* sums, int batch) {
    int t = threadIdx.x;
    const int slices = gridDim.x, replica = blockIdx.y;
    Own own = {begin(weights + replica * WEIGHTS, t), {}, 1.0f, 1.0f / batch};
    float total = 0.0f;
    __syncthreads();
    keep(fetch(x, y, blockIdx.x, t), place_of(0), t);
    for (int number = blockIdx.x, turn = 0; number < batch; number += slices, turn++) {
        __syncthreads();
        forget(t);
        const float ahead = fetch(x, y, min(number + slices, batch - 1), t);
        present(own, total, place_of(turn), ahead, place_of(turn + 1), t);
    }
    __syncthreads();
    sums += (replica * slices + blockIdx.x) * (WEIGHTS + 1);
    for (int i = t; i < W3; i += THREADS) sums[i] = a[GRADIENTS + i];
#pragma unroll
    for (int k = 0; k < 15; k++) sums[W3 + THREADS * k + t] = own.g3[k];
    if (t == LOSS_THREAD) sums[WEIGHTS] = total;
}

// descend<<<(WEIGHTS / 32 + 1, replicas), THREADS, shared bytes>>>: the update after the slices, 32
// weights a block, the loss after the last of them. Each of twelve warps adds up every twelfth slice,
// and the first warp the twelve sums, in order.
//
// weights, first, second, rates: as learn() has them; sums: as slice() left them.
// loss: (replicas, steps) from this step on, its first column written. taken: this update included.
extern "C" __global__ void __launch_bounds__(THREADS) descend(
    float* weights, float* first, float* second, const float* __restrict__ sums,
    const float* __restrict__ rates, float* loss, int slices, int steps, float decay, int taken) {
    const int t = threadIdx.x, replica = blockIdx.y, i = 32 * blockIdx.x + t % 32;
    float total = 0.0f;
    if (i <= WEIGHTS) {
        sums += replica * slices * (WEIGHTS + 1) + i;
#pragma unroll 8
        for (int s = t / 32; s < slices; s += THREADS / 32) total += sums[s * (WEIGHTS + 1)];
    }
    a[t] = total;
    __syncthreads();
    if (t < 32 && i <= WEIGHTS) {
        for (int part = 1; part < THREADS / 32; part++) total += a[32 * part + t];
        if (i == WEIGHTS) {
            loss[replica * steps] = total;
        } else {
            const int here = replica * WEIGHTS + i;
            const Descent descent(rates[replica], decay, taken);
            descent.move(weights[here], total, first + here, second + here);
        }
    }
}
