"""Whether a run would go well here: findings about software, machine, models, data, parameters and earlier runs."""
