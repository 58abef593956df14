"""Where the runs of a comparison are made: on this machine, or on a cluster.

    plan ──jobs──> Engine ──orders──> joblib ──> loky's processes, or Dask's workers
                      ^                              │ each holds
                      └───────── outcomes ───────────┤ a `Maker`: a process that makes one run after
                                                     │ another, with TensorFlow, threads and a log
                                                     └ of its own

joblib starts and feeds the workers; a worker makes no run itself. A run in a process of its own
ends alone: one that the system kills is made again and takes no other with it (loky gives up all
that is under way when one of its processes dies), one that is to stop gets a signal in its main
thread and saves, its threads are set before TensorFlow is imported, what it prints goes to its log,
and the memory that TensorFlow keeps of each graph goes with it. Nor can a busy run make Dask
believe that its worker is gone.

`job` is what is to be made, `order` and its outcome what travels; `process` makes runs, `maker` is
the worker's end of it; `local` and `cluster` are the two places, `parcel` is a run folder as bytes.
"""
