"""The network of 1989 in one thread block: a whole training in the memory of one multiprocessor.

    state = steps.start([params, ...], decay)           one network, or many side by side
    losses = steps.run(state, digits, choices)          one launch, or two a batch
    answers = steps.predict(state, digits, choices)
    params = steps.networks(state)

The kernels are CUDA C++. From below: `rows.cuh` (rows of values in registers), `forward.cuh`,
`loss.cuh`, `backward.cuh` (the phases of a step), `presentation.cuh` (the phases with barriers
between), `kernels.cu` (steps of one digit each, and answers), `batches.cu` (steps of a batch). In
Python: `cuda_layout` (what lies where in shared memory), `cuda_compiling` (from source to machine
code), `gpu` (what a GPU must offer, and launches), `cuda_steps` (the verbs).

Why one block. A step of per-example SGD needs the weights that the step before left, so steps
cannot overlap, and within a step each of seven phases needs what all threads of the one before
made. Between multiprocessors that would go through the L2 cache and a barrier of the whole GPU;
within one it takes a store to shared memory and a barrier of its own threads. So one training uses
one multiprocessor, and the others are for more trainings, one block each.

Batches. Digits of a batch need only the weights that the batch before left, so they are cut into as
many slices as the GPU holds blocks, fewer where there are fewer digits. A block goes through its
slice as through single digits, with the gradients added up in shared memory and registers, and
leaves their sums in global memory; a second launch adds up the slices and moves the weights. The
end of a launch is the barrier of the whole GPU, two of them a batch.

What bounds it, counted and not measured. Per presentation 171,780 multiply-adds (paper.STEP_MACS):
a multiprocessor with 128 lanes needs at least 1,342 cycles. Shared memory gives one warp 32 words a
cycle, so a multiply-add that reads both factors there would cost four times that, and each of four
schedulers issues one instruction a cycle, be it a multiply-add or the load for it. So:

    register tiles     a thread makes 8 to 20 sums from the values that it loads
    wide loads         rows of units come four words at an instruction
    H3w in registers   15 weights a thread, for as long as a launch lasts: forward, backward, update
    shuffles           partial sums meet within a warp, which costs no barrier (rows.cuh, fold)
    one warp           makes H3, the outputs and their deltas, while the others wait once

    phase                                 threads   multiply-adds a thread
    H1                                       96     200
    H2                                       96     400
    H3, sums of a plane                     384      15
    H3, outputs, their deltas; outw          32      31
    deltas of H2; H3w, H2b                  384      30
    deltas of H1; H1b                        96     340
    H2w; beside it H1w                  120, 60     320, 320

tests/test_fused_cuda.py counts from the compiled code what each phase asks of shared memory and of
the busiest scheduler. On top come seven barriers and the latency of what a phase waits for, which a
second training on the same multiprocessor fills: 80 registers a thread leave room for it.

Weights and working values take less than the 48 kB that a block has without asking; with room for
gradients, where they are added up or AdamW's, less than the 64 kB that every GPU since
Turing grants (`gpu`). AdamW's moments are in global memory, which is the L2 cache in effect.

The same bits every time: no atomics; each sum is made by one thread in a fixed order, or from
partial sums in a fixed order; and a replica is the same program as a training alone. How a batch is
sliced follows from the GPU alone, so from one GPU to another its sums may differ in rounding.
"""
