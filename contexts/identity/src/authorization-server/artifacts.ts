import { createHash } from 'node:crypto';
import { FIRST_PARTY_CLIENT_ID } from '@provender/contracts';
import { isUuid } from '@provender/kernel';
import type { Database } from '@provender/platform';
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import { CLIENT_KINDS } from '../domain/client.ts';
import {
  artifactByHash,
  clientById,
  consumeArtifact,
  deleteArtifact,
  deleteArtifactsOfGrant,
  endFamily,
  saveArtifact,
} from '../store.ts';

/** What is really kept. Access tokens are signed and kept nowhere, so a look for one finds nothing without a query. */
const KEPT_MODELS = new Set(['Grant', 'RefreshToken']);

/** What a client of ours tells the authorization server beside the standard members. */
export type ClientExtras = { readonly subject: string; readonly roles: readonly string[] };
export const CLIENT_EXTRAS = ['subject', 'roles'] as const satisfies readonly (keyof ClientExtras)[];

const FIRST_PARTY: AdapterPayload = {
  client_id: FIRST_PARTY_CLIENT_ID,
  token_endpoint_auth_method: 'none',
  grant_types: ['password', 'refresh_token'],
  redirect_uris: [],
  response_types: [],
};

/** The authorization server's memory: one of these for each of its models. */
export function artifactStore(db: Database): (model: string) => Adapter {
  return (model) => (model === 'Client' ? clients(db) : artifacts(db, model));
}

function hashOf(id: string): Buffer {
  return createHash('sha256').update(id).digest();
}

function artifacts(db: Database, model: string): Adapter {
  const isKept = KEPT_MODELS.has(model);

  async function find(id: string): Promise<AdapterPayload | undefined> {
    if (!isKept) return undefined;
    const found = await artifactByHash<AdapterPayload>(db, model, hashOf(id));
    if (found === undefined) return undefined;
    // The id is the secret that the client holds: it was left out of what is stored, and is put back here.
    return { ...found.payload, jti: id, ...(found.consumed === null ? {} : { consumed: found.consumed }) };
  }

  return {
    async upsert(id, { jti: _secret, ...payload }, expiresIn) {
      if (!isKept || expiresIn === undefined) throw new Error(`No ${model} is ever kept without an end`);
      const { grantId } = payload;
      const artifact = { model, idHash: hashOf(id), grantId, payload, seconds: expiresIn };
      await db.withTx((tx) => saveArtifact(tx, artifact));
    },
    find,
    async consume(id) {
      if (await db.withTx((tx) => consumeArtifact(tx, model, hashOf(id)))) return;
      // Somebody else has used it since it was read: one of the two is not who it belongs to, so both are out.
      const grantId = (await find(id))?.grantId;
      if (grantId !== undefined) await db.withTx((tx) => endFamily(tx, grantId, hashOf(grantId)));
      throw new errors.InvalidGrant('refresh token already used');
    },
    destroy: (id) => db.withTx((tx) => deleteArtifact(tx, model, hashOf(id))),
    async revokeByGrantId(grantId) {
      if (isKept) await db.withTx((tx) => deleteArtifactsOfGrant(tx, model, grantId));
    },
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
  };
}

/** Clients are read anew for each request: one that was revoked a moment ago is gone. */
function clients(db: Database): Adapter {
  const refuseToWrite = async () => {
    throw new Error('Clients are made by use cases and not by the authorization server');
  };
  return {
    async find(id) {
      if (id === FIRST_PARTY_CLIENT_ID) return FIRST_PARTY;
      const client = isUuid(id) ? await clientById(db, id) : undefined;
      if (client === undefined || client.revoked || !CLIENT_KINDS.includes(client.kind)) return undefined;
      const { subject, roles, secretHash } = client;
      const extras: ClientExtras = { subject, roles };
      return {
        client_id: id,
        client_secret: secretHash.toString('base64url'),
        token_endpoint_auth_method: 'client_secret_basic',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        ...extras,
      };
    },
    upsert: refuseToWrite,
    consume: refuseToWrite,
    destroy: refuseToWrite,
    revokeByGrantId: refuseToWrite,
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
  };
}
