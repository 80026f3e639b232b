import { describe, expect, it } from 'vitest';
import { createLogger } from '../src/logger.ts';
import { openToyHttp, OTHER_ID, TOY_ID } from './http-toy.ts';

function listening() {
  const lines: string[] = [];
  return { lines, destination: { write: (line: string) => void lines.push(line) } };
}

describe('given the log', () => {
  it('when something secret is in what is logged, then it is not written', () => {
    const { lines, destination } = listening();
    const log = createLogger('info', destination);
    log.info({ password: 'canary', headers: { authorization: 'Bearer canary', cookie: 'canary' } }, 'one');
    log.info({ body: { deep: { refresh_token: 'canary', clientSecret: 'canary' } }, access_token: 'canary' }, 'two');
    expect(lines).toHaveLength(2);
    expect(lines.join('')).not.toContain('canary');
    expect(lines.join('')).toContain('[secret]');
  });

  it('when requests go well, then they are lines only at the level debug, with their id', async () => {
    for (const [logLevel, count] of [
      ['info', 0],
      ['debug', 1],
    ] as const) {
      const { lines, destination } = listening();
      const server = await openToyHttp({ log: destination, logLevel });
      const answered = await server.fastify.inject('/api/toys');
      const requests = lines.filter((line) => line.includes('"msg":"request"'));
      expect(requests).toHaveLength(count);
      if (count === 1)
        expect(JSON.parse(requests[0] ?? '')).toMatchObject({ requestId: answered.headers['x-request-id'] });
      await server.stop();
    }
  });

  it('when a request fails, then the log has the reason and the id that its sender got, and no token', async () => {
    const { lines, destination } = listening();
    const server = await openToyHttp({ log: destination, logLevel: 'info' });
    const headers = { authorization: 'Bearer customer', 'idempotency-key': 'mine' };
    const url = `/api/toys/${OTHER_ID}/break?how=canary`;
    const answered = await server.fastify.inject({ method: 'POST', url, headers });
    expect(answered.statusCode).toBe(500);
    const text = lines.join('');
    expect(text).toContain(String(answered.headers['x-request-id']));
    expect(text).toContain('secret_table');
    expect(text).not.toMatch(/Bearer|canary/);
    expect(text).not.toContain(TOY_ID);
    await server.stop();
  });
});
