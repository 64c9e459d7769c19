/** Loaded into each process of the local platform: when the platform is gone without a word, so is the process. */
process.once('disconnect', () => process.exit(0))
process.channel?.unref()
