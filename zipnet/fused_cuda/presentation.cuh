// What the kernels are made of: a network brought to a block, one presentation with the barriers
// between its phases, and the update from gradients.
//
// No fast-math: operations happen in the order written, and the compiler may only fuse a
// multiplication with the addition that uses it. So a run repeats bit for bit.
#pragma once
#include "backward.cuh"

constexpr int TARGETS_FROM = 256;  // threads from here fetch targets, those below a pixel each
constexpr int LOSS_THREAD = 96;    // in a warp without deltas of H1, so that nobody waits for it

// The thread's number as something new in each turn of a loop: else the places of all phases, which
// follow from it, would be worked out before the loop and kept in registers that there are not.
__device__ __forceinline__ void forget(int& t) { asm volatile("" : "+r"(t)); }

// Weights from global memory, this thread's own of H3w into registers; borders around the images, H1
// and H2's deltas; no gradients yet.
__device__ __forceinline__ Row<15> begin(const float* weights, int t) {
    for (int i = t; i < W3; i += THREADS) a[i] = weights[i];
    for (int i = X + t; i < A1 + 12 * A1_PLANE; i += THREADS) a[i] = BACKGROUND;
    if (t < 12 * 8) {  // of each plane the row above, four values, and the row below, four more
        const int value = t % 8;
        a[D2 + t / 8 * D2_PLANE + (value < 4 ? value : value + 16)] = 0.0f;
    }
    if (!AT_ONCE)
        for (int i = t; i < W3; i += THREADS) a[GRADIENTS + i] = 0.0f;
    Row<15> w3;
#pragma unroll
    for (int k = 0; k < 15; k++) w3[k] = weights[W3 + THREADS * k + t];
    return w3;
}

// A pixel or target of a presentation, this thread's own, from global memory.
__device__ __forceinline__ float fetch(const float* x, const float* y, int number, int t) {
    if (t < TARGETS_FROM) return x[256 * number + t];
    return y[10 * number + min(t - TARGETS_FROM, 9)];
}

// Where a presentation lies: the next one is brought while the last one is still looked at.
__device__ __forceinline__ int place_of(int number) { return X + number % 2 * PRESENTED; }

// Put what fetch() brought there.
__device__ __forceinline__ void keep(float value, int place, int t) {
    if (t < TARGETS_FROM) {
        a[place + (t / 16 + 2) * IMAGE_ROW + t % 16 + 2] = value;
    } else if (t < TARGETS_FROM + 10) {
        a[place + IMAGE + t - TARGETS_FROM] = value;
    }
}

// A step from a batch's gradients: plain SGD, or AdamW with decoupled weight decay (Loshchilov &
// Hutter 2019), torch's constants, as zipnet/reference.py. taken: updates, this one included.
// 1 - beta^n is -expm1(n log beta), which stays exact in float32.
struct Descent {
    float rate, size, spread, kept;

    __device__ Descent(float rate, float decay, int taken)
        : rate(rate),
          size(rate / -expm1f(taken * LOG_BETA1)),
          spread(1.0f / sqrtf(-expm1f(taken * LOG_BETA2))),
          kept(1.0f - rate * decay) {}

    // Move a weight by its gradient g. first, second: its moments.
    __device__ __forceinline__ void move(float& w, float g, float* first, float* second) const {
        if (!ADAMW) {
            w -= rate * g;
            return;
        }
        const float mean = *first = OLD_MEAN * *first + NEW_MEAN * g;
        const float square = *second = OLD_SQUARE * *second + NEW_SQUARE * (g * g);
        w = w * kept - size * mean / (sqrtf(square) * spread + EPSILON);
    }
};

// What a thread has of a network beside shared memory: its own weights of H3w and their gradients. To
// this go scale, by which gradients are multiplied before they are added to something, and share, the
// part that one presentation has in the mean loss of a step.
struct Own {
    Row<15> w3, g3;
    float scale, share;
};

// One presentation, in place `here`, while the next one, `ahead`, is brought to place `there`. Adds
// its loss to the loss thread's total.
__device__ __forceinline__ void present(
    Own& own, float& total, int here, float ahead, int there, int t) {
    const float h2 = forward(own.w3, t, here);
    outputs_and_back(t, own.scale, own.share, here + IMAGE);
    __syncthreads();
    second_deltas(own.w3, own.g3, h2, own.scale, t);
    __syncthreads();
    first_deltas(own.scale, t);
    if (t == LOSS_THREAD) total += loss(own.share, here + IMAGE);
    keep(ahead, there, t);
    __syncthreads();
    second_weights_learn(own.scale, t);
    first_weights_learn(own.scale, t, here);
}
