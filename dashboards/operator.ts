import type { FastifyRequest } from 'fastify';
import { isSameText } from '../core/devices/secret.ts';
import { Problem } from './problem.ts';

/** Decides whether a request comes from an operator: `Authorization: Bearer <operator token>`. */
export class Operators {
  private readonly token: string;

  constructor(token: string) {
    this.token = token;
  }

  /** True with the right token, false without any. @throws Problem 401 with a wrong one */
  isOperator(request: FastifyRequest): boolean {
    const given = request.headers.authorization;
    // Devices have credentials of another kind.
    if (given === undefined || /^Basic /i.test(given)) return false;
    const match = /^Bearer (\S+)$/i.exec(given);
    if (match?.[1] && isSameText(match[1], this.token)) return true;
    throw new Problem(401, 'wrong-token', 'the operator token is wrong; `npm start` prints the right one');
  }

  /** A Fastify hook that lets operators pass. @throws Problem 401 for everybody else */
  readonly required = async (request: FastifyRequest): Promise<void> => {
    if (this.isOperator(request)) return;
    throw new Problem(
      401,
      'operators-only',
      'operators only: send the header "Authorization: Bearer <operator token>"',
    );
  };
}
