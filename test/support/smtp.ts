import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

/** A mail as it came over the wire. */
export type MailGot = { readonly to: readonly string[]; readonly raw: string };

export type MailServer = {
  readonly url: string;
  readonly mails: readonly MailGot[];
  /** What it says to the next mails: takes them, refuses the recipient for good, or asks to come again. */
  behave(behaviour: 'takes' | 'refuses' | 'is-busy'): void;
  close(): Promise<void>;
};

const ANSWERS = { refuses: 550, 'is-busy': 451 } as const;

/** A real SMTP server on this machine, that keeps what it gets. Listens on a free port, or on the one named. */
export async function openMailServer(port = 0): Promise<MailServer> {
  const mails: MailGot[] = [];
  let behaviour: 'takes' | 'refuses' | 'is-busy' = 'takes';
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    closeTimeout: 50,
    logger: false,
    onRcptTo(_address, _session, done) {
      if (behaviour === 'takes') done();
      else done(Object.assign(new Error('Not now'), { responseCode: ANSWERS[behaviour] }));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        mails.push({
          to: session.envelope.rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString('utf8'),
        });
        done();
      });
    },
  });
  // A client that goes away in the middle is not the test's concern.
  server.on('error', () => {});
  await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve));
  const listening = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${listening.port}`,
    mails,
    behave(next) {
      behaviour = next;
    },
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
