import { CONTEXT_NAMES, type ContextName, eventSchemas } from '@provender/contracts';
import { exampleOf } from './example.ts';

type Json = Readonly<Record<string, unknown>>;

/** AsyncAPI 3.0.0, made of the events' schemas: a channel per context's log, a message per type of event. */
export function asyncApi(contexts: readonly ContextName[] = CONTEXT_NAMES): Json {
  const types = Object.entries(eventSchemas).filter(([type]) => contexts.some((name) => type.startsWith(`${name}.`)));
  const channels = Object.fromEntries(contexts.map((context) => [context, channel(context, typesOf(context))]));
  const operations = Object.fromEntries(contexts.map((context) => [`say-${context}`, operation(context)]));
  const messages = Object.fromEntries(types.map(([type, schema]) => [type, message(type, schema)]));
  const schemas = Object.fromEntries(types.map(([type, schema]) => [type, plain(schema)]));
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Provender events',
      version: '1.0.0',
      description:
        'One log per context. Events are CloudEvents 1.0 in structured mode. `position` is gapless within a source, ' +
        'in order of commit: a consumer remembers it and drops what it has seen. ' +
        'Events of one partition key come in order.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/cloudevents+json',
    channels,
    operations,
    components: { messages, schemas },
  };
}

function typesOf(context: ContextName): string[] {
  return Object.keys(eventSchemas).filter((type) => type.startsWith(`${context}.`));
}

function channel(context: ContextName, types: readonly string[]): Json {
  return {
    address: `provender.${context}`,
    title: `What ${context} says`,
    messages: Object.fromEntries(types.map((type) => [type, { $ref: `#/components/messages/${type}` }])),
  };
}

function operation(context: ContextName): Json {
  const messages = typesOf(context).map((type) => ({ $ref: `#/channels/${context}/messages/${type}` }));
  return {
    action: 'send',
    title: `${context} says what happened`,
    channel: { $ref: `#/channels/${context}` },
    messages,
  };
}

function message(type: string, schema: unknown): Json {
  const [source = '', name = ''] = type.split('.');
  const payload = envelope(type, source);
  const example = { ...(exampleOf(payload) as Json), data: exampleOf(schema) };
  return {
    name: type,
    title: name.replaceAll('-', ' '),
    contentType: 'application/cloudevents+json',
    payload,
    examples: [{ name, payload: example }],
  };
}

function envelope(type: string, source: string): Json {
  const text = (description: string) => ({ type: 'string', description });
  return {
    type: 'object',
    required: ['specversion', 'id', 'source', 'type', 'subject', 'time', 'partitionkey', 'position', 'data'],
    properties: {
      specversion: { const: '1.0' },
      id: { type: 'string', format: 'uuid', description: 'Unique for ever; a repeat has the same' },
      source: { const: source },
      type: { const: type },
      subject: { ...text('What it is about; its events take effect in order'), examples: [EXAMPLE_SUBJECT] },
      time: { type: 'string', format: 'date-time', description: 'Business time' },
      partitionkey: { ...text('What one consumer sees in order'), examples: [EXAMPLE_SUBJECT] },
      position: { type: 'integer', minimum: 1, description: "Gapless in the source's log, in order of commit" },
      traceparent: text('W3C trace context of what caused it'),
      datacontenttype: { const: 'application/json' },
      data: { $ref: `#/components/schemas/${type}` },
    },
  };
}

const EXAMPLE_SUBJECT = '01992f60-5a3c-7c11-9d52-0c2f6f0a7b11';

/** Schemas made by TypeBox carry hidden marks; the document has plain JSON only. */
function plain(schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema));
}
