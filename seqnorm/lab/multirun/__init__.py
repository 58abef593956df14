"""Several runs by one ``seqnorm-train -m``, wherever a launcher takes them.

The jobs of a multirun share a folder, ``.multirun/<time>`` below runs_dir, where reports do not
look. Each job notes there when it begins and how it ends, so that the command can say of every job
what became of it: one that ran in this process, in another one or on another machine, and whatever
ended it. The files of launchers and sweepers go there as well.
"""
