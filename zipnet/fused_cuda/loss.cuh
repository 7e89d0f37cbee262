// The loss of one presentation, and its gradient with respect to the sums of the outputs.
//
// mse is the mean over batch and outputs of (y - out)^2; cross-entropy the mean over the batch of
// the softmax's, as zipnet/reference.py. `share` is 1 / batch; the targets are in place y.
#pragma once
#include "forward.cuh"

// Softmax's denominator, and the largest output, which it subtracts so that nothing overflows.
struct Softmax {
    float top, total;
};

__device__ __forceinline__ Softmax softmax() {
    const Row<10> out = row<10, 2>(AO);
    Softmax found = {out[0], 0.0f};
#pragma unroll
    for (int k = 1; k < 10; k++) found.top = out[k] > found.top ? out[k] : found.top;
#pragma unroll
    for (int k = 0; k < 10; k++) found.total += expf(out[k] - found.top);
    return found;
}

// What this presentation adds to the loss of its batch.
__device__ __forceinline__ float loss(float share, int y) {
    float total = 0.0f;
    if (CROSS_ENTROPY) {
        const Softmax of = softmax();
        const float log_sum = logf(of.total);
        for (int k = 0; k < 10; k++)
            if (a[y + k] > 0.0f) total += log_sum - (a[AO + k] - of.top);
        return total * share;
    }
#pragma unroll
    for (int k = 0; k < 10; k++) {
        const float gap = a[y + k] - a[AO + k];
        total += gap * gap;
    }
    return total * (share * 0.1f);
}

// Gradient of the loss with respect to the sum of output k.
__device__ __forceinline__ float output_delta(int k, float share, int y) {
    const float out = a[AO + k], target = a[y + k];
    float delta = 2.0f * 0.1f * (out - target);
    if (CROSS_ENTROPY) {
        const Softmax of = softmax();
        delta = expf(out - of.top) / of.total - (target > 0.0f ? 1.0f : 0.0f);
    }
    return share * (FLAT ? delta : delta * scaled_slope(out, OUT_AMPLITUDE, OUT_STEEPNESS));
}
