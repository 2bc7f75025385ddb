"""The commands of `talent`, by what they are about; `service.cli` puts them together."""
