"""The pages: a module a subject, each with the handlers of its URLs."""
