"""One file per subcommand of `latentlab`, and the life cycle of a job."""
