"""taskgate beside what people use instead, on one machine, in turns: ``make bench``."""
