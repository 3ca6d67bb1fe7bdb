import { Type } from 'typebox';
import { REHEARSAL_LIMITS } from '../../rehearsals/rehearsals.ts';

export const NewRehearsal = Type.Partial(
  Type.Object({
    devices: Type.Integer({
      minimum: 1,
      maximum: REHEARSAL_LIMITS.devices,
      description: 'number of devices; default: 200',
    }),
    seconds: Type.Integer({
      minimum: 1,
      maximum: REHEARSAL_LIMITS.seconds,
      description: 'time in seconds over which their votes arrive; default: 10',
    }),
  }),
  { additionalProperties: false },
);
