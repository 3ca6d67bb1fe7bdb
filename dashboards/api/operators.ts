import type { FastifyRequest } from 'fastify';
import { isSameText } from '../../core/devices/secret.ts';
import { Refusal } from '../../core/runtime/refusal.ts';

/** Decides whether a request comes from an operator, that is, has the header `Authorization: Bearer <operator token>`. */
export class Operators {
  private readonly token: string;

  constructor(token: string) {
    this.token = token;
  }

  /** True if the request has the right token, false if it has no token. @throws Refusal wrong-token if the token is wrong */
  isOperator(request: FastifyRequest): boolean {
    const given = request.headers.authorization;
    // Basic credentials belong to devices.
    if (given === undefined || /^Basic /i.test(given)) return false;
    const match = /^Bearer (\S+)$/i.exec(given);
    if (match?.[1] && isSameText(match[1], this.token)) return true;
    throw new Refusal('wrong-token', 'the operator token is wrong; `npm start` prints the right one');
  }

  /** A Fastify hook that lets only operators through. @throws Refusal operators-only, wrong-token */
  readonly required = async (request: FastifyRequest): Promise<void> => {
    if (this.isOperator(request)) return;
    throw new Refusal('operators-only', 'operators only: send the header "Authorization: Bearer <operator token>"');
  };
}
