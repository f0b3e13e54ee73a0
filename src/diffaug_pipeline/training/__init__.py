"""What the trainings of all networks share: options, draws, learning rate, one training per seed."""
