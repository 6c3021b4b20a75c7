"""Train, runs beside each other: any curves of any runs, seeds as mean and spread, and the settings that differ."""
