"""``taskgate doctor``: what a configuration can and cannot do; a module for each subject."""
