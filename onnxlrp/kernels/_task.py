"""What a task says, as plain numbers: the place of each in an int64 array.

A task is work on whole arrays, cut into jobs that any thread may take; see `crew`. `JOBS` is the
address of a table with a row of numbers for each job.
"""

from __future__ import annotations

(
    KIND, COUNT, JOBS, FOUND,  # which work; jobs: their number, table, what they note
    LINKED,  # whether each job goes on with the same job of the next task
    HANDED_ON, TAKEN,  # where in a thread's memory a job's out, or source, lies; or 0
    SOURCE, OUT, OUT_NUMBERS, CHANNELS, PLACES,  # arrays; out's channels, and numbers in each
    THEN, REALS, X, X_NUMBERS, SIGN, RELEVANCE, BIAS, BIAS_NUMBERS, WHERE,  # `finish`
    SHARE_OF, SHARE_X, SHARE_Y, SHARE_TO, SHARE_REALS, SHARE_EPSILON,  # its R as a summand's share
    ONTO, FOLD, SPREAD,  # its channels: of the result for each of x or R, of out for each of these
    WEIGHTS, WEIGHT_NUMBERS, BATCHES, ROWS, DEPTH, PANELS,  # packed weights
    TILE,  # of Winograd's convolution: size of its output along an axis
    FIRST,
) = range(38)  # fmt: skip

#: Of a convolution by `stencil` or `depthwise`: sizes of the source and of out, groups, channels
#: and results of a group; how a block is laid out; the tables of slices and of their products;
#: groups that are finished together, numbers of the source, and what is read around its lines.
(
    IN_DEPTH, IN_HEIGHT, IN_WIDTH, OUT_DEPTH, OUT_HEIGHT, OUT_WIDTH, GROUPS, IN_CHANNELS, RESULTS,
    PLANE, PITCH, ROW_PHASES, ROW_PHASE_COUNT, COLUMN_PHASES, COLUMN_PHASE_COUNT, ROW_STEP,
    COLUMN_STEP, ROW_ORIGIN, COLUMN_ORIGIN, LINE_STEP, LAID, WINDOWS, SLICES, SLICE_COUNT,
    PRODUCTS, PRODUCT_COUNT, TOGETHER, SOURCE_NUMBERS, BEFORE, AFTER,
) = range(FIRST, FIRST + 30)  # fmt: skip

#: Of an element-wise task: its arrays; elements, or rows of a width, in all and in a job.
(
    A, B, C, D, TO, TO_OTHER, LENGTH, BLOCK, WIDTH, EPSILON, SAMPLES,
) = range(FIRST, FIRST + 11)  # fmt: skip

#: Of a pool, after the sizes of its input and of its windows: three numbers each, one an axis;
#: tables of spans and of places; planes (image and channel) in all and in a job.
TAPS, STRIDES, PADS, DILATIONS = range(FIRST + 6, FIRST + 18, 3)
SPANS, TAP_PLACES, PLANES, SOME_PLANES = range(FIRST + 18, FIRST + 22)

#: Numbers in a task.
SIZE = FIRST + 30

#: What a job may note, as bits: what its kind of work looks for, that z is infinite somewhere, that
#: a share of a sum is.
AMISS, INFINITE, SPOILED = 1, 2, 4

#: What is done to each part of a result before it is written: nothing, or an `Epilogue`.
NOTHING, TIMES, RATIO = range(3)

#: Which work.
(
    ZEROS, POINTWISE, WINOGRAD, STENCIL, DEPTHWISE, WINDOW_SUM, WINDOW_SUM_ADJOINT, MAX_POOL,
    WEIGHTED_SUM, PRODUCT, MULTIPLY, ADD_PRODUCT, CLIP_POSITIVE, CLIP_NEGATIVE,
    SPLIT, RATIOS, QUOTIENTS, SUMS, SHARES, SEARCH_NEGATIVE, SEARCH_INFINITE,
) = range(21)  # fmt: skip
