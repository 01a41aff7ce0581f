"""What is drawn of a subject: one idea a file, each picture a function of the subject."""
