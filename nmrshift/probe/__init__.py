"""The judge of encoders: probes on frozen features, and fine-tuning on few spectra."""
