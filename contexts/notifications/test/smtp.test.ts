import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type House,
  hurry,
  messages,
  moved,
  NEIGHBOUR,
  openHouse,
  openReceiver,
  ordered,
  placed,
  type Receiver,
  SOON,
} from './house.ts';

type Step = 'greeting' | 'sender' | 'recipient' | 'message';
/** A mail server on this machine: who it took mail for, and what it does with the next. */
type PostOffice = {
  port: number;
  taken: string[];
  /** At which step it says which code. */
  refuse: readonly [Step, number] | undefined;
  close(): Promise<void>;
};

async function openPostOffice(port = 0): Promise<PostOffice> {
  const office: PostOffice = { port, taken: [], refuse: undefined, close: async () => {} };
  function refusalAt(step: Step): Error | undefined {
    const [refused, responseCode] = office.refuse ?? [];
    return refused === step ? Object.assign(new Error('No'), { responseCode }) : undefined;
  }
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    closeTimeout: 50,
    logger: false,
    onConnect: (_session, done) => done(refusalAt('greeting')),
    onMailFrom: (_address, _session, done) => done(refusalAt('sender')),
    onRcptTo: (_address, _session, done) => done(refusalAt('recipient')),
    onData(stream, session, done) {
      stream.resume().on('end', () => {
        const refusal = refusalAt('message');
        if (refusal === undefined) office.taken.push(...session.envelope.rcptTo.map(({ address }) => address));
        done(refusal);
      });
    },
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve));
  office.port = (server.server.address() as AddressInfo).port;
  office.close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return office;
}

let office: PostOffice;
let house: House;
let receiver: Receiver;
beforeAll(async () => {
  office = await openPostOffice();
  receiver = await openReceiver();
  house = await openHouse({ SMTP_URL: `smtp://127.0.0.1:${office.port}` });
});
afterAll(async () => {
  await house.close();
  await receiver.close();
  await office.close();
});

async function somethingHappens(customerId?: string): Promise<string> {
  const order = ordered(house, customerId);
  await house.test.hear([placed(order), moved(order, 'waiting', 'ready')]);
  return order.orderId;
}

async function messageOf(orderId: string) {
  return (await messages(house, `?orderId=${orderId}&channel=email`))[0];
}

describe('a mail server', () => {
  test('given one that is there, when an order moves, then the mail is taken and its answer is on record', async () => {
    const orderId = await somethingHappens();
    await vi.waitFor(async () => {
      expect(await messageOf(orderId)).toMatchObject({ status: 'delivered', attempts: [{ ok: true, detail: /^250/ }] });
    }, SOON);
    expect(office.taken).toEqual(['cleo@test.example']);
  });

  test('given one that refuses a recipient for good, then it is not tried again; one that asks to wait, is', async () => {
    office.refuse = ['recipient', 550];
    const refused = await somethingHappens();
    await vi.waitFor(async () => expect(await messageOf(refused)).toMatchObject({ status: 'failed' }), SOON);
    office.refuse = ['recipient', 451];
    const asked = await somethingHappens(NEIGHBOUR);
    await vi.waitFor(async () => expect((await messageOf(asked))?.attempts).toHaveLength(1), SOON);
    expect(await messageOf(asked)).toMatchObject({ status: 'waiting', attempts: [{ ok: false, detail: /451/ }] });
    office.refuse = undefined;
    await hurry(house);
    await vi.waitFor(async () => expect(await messageOf(asked)).toMatchObject({ status: 'delivered' }), SOON);
  });

  test.for([
    ['greets with 554', ['greeting', 554]],
    ['answers the sender with 530', ['sender', 530]],
    ['wants somebody to sign in before it hears of recipients', ['recipient', 530]],
  ] as const)('given one that %s, when it is well again, then no mail was lost', async ([, refuse]) => {
    // A connection that is open already hears no greeting.
    const { port } = office;
    await office.close();
    office = await openPostOffice(port);
    office.refuse = refuse;
    const orderId = await somethingHappens();
    const detail = expect.stringContaining(`${refuse[1]}`) as string;
    await vi.waitFor(async () => {
      expect(await messageOf(orderId)).toMatchObject({ status: 'waiting', attempts: [{ ok: false, detail }] });
    }, SOON);
    office.refuse = undefined;
    await vi.waitFor(async () => {
      await hurry(house);
      expect(await messageOf(orderId)).toMatchObject({ status: 'delivered' });
    }, SOON);
    expect(office.taken).toEqual(['cleo@test.example']);
  });

  test('given one that refuses a message that it has read, then that one is not tried again', async () => {
    office.refuse = ['message', 554];
    const refused = await somethingHappens();
    await vi.waitFor(async () => expect(await messageOf(refused)).toMatchObject({ status: 'failed' }), SOON);
    office.refuse = undefined;
  });

  test('given one that is dead, when much happens, then webhooks go out, nothing is lost, and each mail comes once when it is back', async () => {
    const added = await house.http.call<{ id: string }>('POST /api/webhooks', {
      as: 'manager',
      body: { url: receiver.url, kinds: ['order-status-changed'] },
    });
    const { port } = office;
    await office.close();
    const orders: string[] = [];
    for (let count = 0; count < 5; count += 1) orders.push(await somethingHappens());
    await vi.waitFor(() => expect(receiver.received).toHaveLength(5), SOON);
    await vi.waitFor(async () => {
      const tried = await Promise.all(orders.map(messageOf));
      expect(tried.some((message) => message?.attempts[0]?.ok === false)).toBe(true);
      expect(tried.every((message) => message?.status === 'waiting')).toBe(true);
    }, SOON);
    office = await openPostOffice(port);
    await vi.waitFor(async () => {
      await hurry(house);
      const tried = await Promise.all(orders.map(messageOf));
      expect(tried.map((message) => message?.status)).toEqual(orders.map(() => 'delivered'));
    }, SOON);
    expect(office.taken).toEqual(orders.map(() => 'cleo@test.example'));
    await house.http.call(`DELETE /api/webhooks/${added.body.id}`, { as: 'manager' });
  });
});
