import { readSettings } from '@provender/platform';
import { openGateway } from './gateway.ts';

/** Runs the gateway until SIGTERM or SIGINT, or until whoever started it is gone. Gives the exit code. */
async function main(): Promise<number> {
  const read = readSettings(process.env);
  if (!read.ok) {
    for (const line of read.problems) console.error(line);
    return 1;
  }
  const { value: settings } = read;
  if (settings.upstreams.length === 0) {
    console.error('UPSTREAMS: must be set, to a list such as orders=http://127.0.0.1:4001,bank=http://127.0.0.1:4002.');
    return 1;
  }
  const stopAsked = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve());
    process.on('disconnect', () => resolve());
    // To listen for that must not keep alive what has stopped.
    process.channel?.unref();
  });
  const gateway = await openGateway(settings);
  try {
    await gateway.start();
    console.log(`Provender's gateway is ready at ${gateway.url()}`);
    await stopAsked;
  } finally {
    await gateway.stop();
  }
  return 0;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    const message = error instanceof Error ? error.message : String(error);
    console.error(isTaken ? 'PORT: is taken; choose another, or 0 for a free one.' : message);
    process.exit(1);
  },
);
