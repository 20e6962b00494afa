"""The general part: errors, instants, records, readers, files and the plugin; knows neither X.509 nor Postfix."""
