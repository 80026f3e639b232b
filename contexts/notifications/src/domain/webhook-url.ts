import { accept, type Result, refuse } from '@provender/kernel';
import { type AddressReach, reachOf } from './net-address.ts';

export type UrlRefusal = {
  readonly kind: 'not-a-url' | 'not-https' | 'has-credentials' | 'private-address' | 'wrong-port';
};

/** Names that never leave a house, whatever a resolver says of them. */
const PRIVATE_NAMES = /(^|\.)(local|internal|intranet|lan|home\.arpa|corp|onion)$/;
const LOOPBACK_NAMES = /(^|\.)localhost$/;

/**
 * Reads the address of a webhook. Refuses what is not https to a public address; with `allowsLoopback` this machine
 * itself may be meant too, by http as well. What a name stands for is looked at when it is resolved, and each time
 * anew.
 */
export function readWebhookUrl(text: string, allowsLoopback: boolean): Result<URL, UrlRefusal> {
  if (!URL.canParse(text)) return refuse({ kind: 'not-a-url' });
  const url = new URL(text);
  const { protocol, hostname, username, password, port } = url;
  if (protocol !== 'https:' && protocol !== 'http:') return refuse({ kind: 'not-https' });
  if (`${username}${password}` !== '') return refuse({ kind: 'has-credentials' });
  const reach = reachOfHost(hostname);
  if (!mayReach(reach ?? 'public', allowsLoopback)) return refuse({ kind: 'private-address' });
  if (protocol === 'http:' && reach !== 'loopback') return refuse({ kind: 'not-https' });
  if (port === '0') return refuse({ kind: 'wrong-port' });
  return accept(url);
}

/** How far a host reaches that needs no resolver; undefined for a name that does. */
export function reachOfHost(hostname: string): AddressReach | undefined {
  const host = hostname.replace(/\.$/, '').toLowerCase();
  if (host.startsWith('[')) return reachOf(host.slice(1, -1));
  if (/^[\d.]+$/.test(host)) return reachOf(host);
  if (LOOPBACK_NAMES.test(host)) return 'loopback';
  if (PRIVATE_NAMES.test(host) || !host.includes('.')) return 'private';
  return undefined;
}

export function mayReach(reach: AddressReach, allowsLoopback: boolean): boolean {
  return reach === 'public' || (allowsLoopback && reach === 'loopback');
}
