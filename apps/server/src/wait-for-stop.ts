/**
 * Resolves when the process is asked to stop. Whoever asks may do so twice, to the group and through npm: the second
 * time must not cut the first short. A process that another one has started, and speaks with, ends with it.
 */
export function waitForStop(): Promise<void> {
  return new Promise((resolve) => {
    process.on('SIGTERM', () => resolve());
    process.on('SIGINT', () => resolve());
    process.on('disconnect', () => resolve());
    // To listen for that must not keep alive what has stopped.
    process.channel?.unref();
  });
}
