"""The network of 1989 in one thread block: a whole training in the memory of one multiprocessor.

    state = steps.start([params, ...])                  one network, or many side by side
    losses = steps.run(state, x, y, batch, rates, choices, decay)      one launch, any many steps
    answers = steps.predict(state, x, choices)
    params = steps.networks(state)

The kernels are CUDA C++. From below: `rows.cuh` (rows of values in registers), `forward.cuh`,
`loss.cuh`, `backward.cuh` (the phases of a step), `kernels.cu` (the phases with barriers between,
and the update after a batch). In Python: `cuda_layout` (what lies where in shared memory),
`cuda_compiling` (from source to machine code), `gpu` (what a GPU must offer, and launches),
`cuda_steps` (the verbs).

Why one block. A step of per-example SGD needs the weights that the step before left, so steps
cannot overlap, and within a step each of twelve phases needs what all threads of the one before
made. Between multiprocessors that would go through the L2 cache and a barrier of the whole GPU;
within one it takes a store to shared memory and a barrier of its own threads. So one training uses
one multiprocessor, whatever the batch; the others are for more trainings, one block each. A full
batch in one block is slow by design: the torch engines spread it over the GPU.

What bounds it, counted and not measured. Per presentation 171,780 multiply-adds (paper.STEP_MACS):
a multiprocessor with 128 lanes needs at least 1,342 cycles, 0.7 us at 1.98 GHz. Shared memory gives
one warp 32 words a cycle, so a multiply-add that reads both factors there would cost four times
that: hence the register tiles. Threads at work, words read or written by each, and
warps x words = cycles of shared memory:

    phase                     threads   words   cycles   multiply-adds a thread
    H1                           96    105+16     363     200
    H2, sums                     96    155+16     513     400
    H2, finished                192        10      60
    H3, sums                    320     24+ 3     270      18
    H3, outputs (2 phases)       30    34, 62      96      30
    deltas of H3, outw           42        51     102      20
    deltas of H2, H3w learns    192     90+ 2     552      60
    deltas of H1, sums           96    148+16     492     340
    deltas of H1, finished      384     2 x 6     144
    H2w learns                  120    108+40     592     320
      beside it H1w, sums       120     54+20     296     160
    H1w learns                  300        10     100
                                             about 3,580

if no two lanes of a warp ever met in a bank; with those that do, tests/test_fused_cuda.py counts
30% more from the compiled code. That is 1.8 to 2.4 us at that clock, if nothing else ever waits; on
top come twelve barriers and the latency of each phase's first loads. Shared memory, then, and not
arithmetic, is the bound to work on.

Weights take 40,072 bytes, working values the rest of `layout.SHARED_BYTES`: more than the 48 kB
that a block has without asking, less than the 64 kB that every GPU since Turing grants (`gpu`).
Gradients of batches and AdamW's moments are in global memory, which is the L2 cache in effect.

The same bits every time: no atomics; each sum is made by one thread in a fixed order, or from
partial sums in a fixed order; and a replica is the same program as a training alone.
"""
