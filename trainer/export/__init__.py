"""SavedModels: tf.Modules that own signatures."""
