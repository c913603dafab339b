"""What `adsindex` tells a script when it ends."""

OK = 0
WRONG = 1  # something is wrong: a failure, or a state that somebody should look at
USAGE = 2  # the command line, a setting or a file must be changed
NOT_FOUND = 3
INTERRUPTED = 130
