"""Training of Partita's own separation models: data, network, trainer, evaluation, export."""
