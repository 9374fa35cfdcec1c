/** A JSON document by POST, signed where a key is configured. */
import { createHmac } from 'node:crypto';
import { version } from '../../../shared/version.ts';
import type { WebhookConfig } from '../config.ts';
import { sendRequest } from './request.ts';
import type { Target } from './target.ts';
import { webhookBody } from './webhook-body.ts';

/** @param ca PEM; null: what the system trusts */
export function openWebhook(config: WebhookConfig, ca: string | null, nowMs: () => number): Target {
  const { name, url, headers, secret, fields, timeout } = config;
  return {
    name,
    kind: 'webhook',
    // Addresses of chats have their secret in the path.
    where: new URL(url).origin,
    send(delivery, signal) {
      const body = webhookBody(delivery, name, fields);
      const seconds = String(Math.floor(nowMs() / 1000));
      const own: Record<string, string> = {
        'content-type': 'application/json',
        'user-agent': `picket-central/${version}`,
        'idempotency-key': delivery.id,
        'x-picket-timestamp': seconds,
      };
      if (secret !== undefined) own['x-picket-signature'] = `v1=${signatureOf(secret, seconds, body)}`;
      const request = { url, method: 'POST' as const, headers: { ...own, ...headers }, body };
      return sendRequest({ ...request, timeoutMs: timeout, ca, nowMs }, signal);
    },
    close() {},
  };
}

/** HMAC-SHA256 of `<timestamp>.<body>`, hex: an old message that is sent again by another shows by its timestamp. */
export function signatureOf(secret: string, timestamp: string, body: string): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
}
