import { Agent, type AgentOptions } from 'node:https';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { TlsOptions } from '#wire/http2-connection.ts';

/**
 * Makes a connection for each request to servers that are met again and again. Certificates and key are read once, and with
 * a server met before the session is resumed: the proofs of who is who, most of a handshake, stand from the first time.
 */
export function tlsAgent({ ca, certificate, key, serverName }: TlsOptions): Agent {
  const context: SecureContextOptions = { ca, cert: certificate, key };
  const options: AgentOptions & { secureContext: ReturnType<typeof createSecureContext> } = {
    keepAlive: false,
    secureContext: createSecureContext(context),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
  return new Agent(options);
}
