"""What is doubtful about a fit: runs that move it, trends of residuals, noise that replicates show."""
