"""What knows neither X.509 nor Postfix: errors, instants, records, reading, files, and the seam to the engine."""
