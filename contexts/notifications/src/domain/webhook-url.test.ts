import { describe, expect, test } from 'vitest';
import { reachOf } from './net-address.ts';
import { readWebhookUrl } from './webhook-url.ts';

describe('addresses', () => {
  test.each([
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    'fe80::1',
    'fc00::1',
    'ff02::1',
    '::',
    '::ffff:10.0.0.1',
    '::ffff:a9fe:a9fe',
    '64:ff9b::10.0.0.1',
    '2002:a00:1::',
    '2001:db8::1',
    '2001::1',
    '::10.0.0.1',
    'not an address',
    '1.2.3',
    '1::2::3',
  ])('given %s, when looked at, then it is private', (address) => {
    expect(reachOf(address)).toBe('private');
  });

  test.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])('given %s, then it is this machine', (address) => {
    expect(reachOf(address)).toBe('loopback');
  });

  test.each(['8.8.8.8', '93.184.216.34', '2606:2800:220:1::1', '::ffff:8.8.8.8', '64:ff9b::808:808'])(
    'given %s, then it is public',
    (address) => {
      expect(reachOf(address)).toBe('public');
    },
  );
});

describe('where webhooks may go', () => {
  test.each([
    ['https://example.com/hook', undefined],
    ['https://example.com:8443/hook?a=b', undefined],
    ['http://example.com/hook', 'not-https'],
    ['ftp://example.com/hook', 'not-https'],
    ['file:///etc/passwd', 'not-https'],
    ['https://ann:secret@example.com/', 'has-credentials'],
    ['https://127.0.0.1/', 'private-address'],
    ['https://0x7f.1/', 'private-address'],
    ['https://2130706433/', 'private-address'],
    ['https://[::1]/', 'private-address'],
    ['https://[::ffff:192.168.0.1]/', 'private-address'],
    ['https://localhost/', 'private-address'],
    ['https://metadata/', 'private-address'],
    ['https://printer.local/', 'private-address'],
    ['https://LOCALHOST./', 'private-address'],
    ['https://example.com:0/', 'wrong-port'],
    ['no address', 'not-a-url'],
  ])('given %s, when it is read, then the refusal is %s', (text, kind) => {
    const read = readWebhookUrl(text, false);
    expect(read.ok ? undefined : read.refusal.kind).toBe(kind);
  });

  test('given that this machine may be reached, when it is, then by http too, and nothing else private', () => {
    expect(readWebhookUrl('http://127.0.0.1:8080/', true).ok).toBe(true);
    expect(readWebhookUrl('http://localhost:8080/', true).ok).toBe(true);
    expect(readWebhookUrl('http://10.0.0.1/', true).ok).toBe(false);
    expect(readWebhookUrl('http://example.com/', true).ok).toBe(false);
  });
});
