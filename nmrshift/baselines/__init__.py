"""Table predictors behind the network's interface."""
