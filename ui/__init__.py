"""What people are shown: answers, traces, pages. Pure: everything that is shown is given as an argument."""
