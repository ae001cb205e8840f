"""The command line: verbs. Heavy imports are inside each verb, so that --help answers at once."""
