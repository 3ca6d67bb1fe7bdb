import type { FormProps } from '../ballot/form.ts';
import { kindFormOf } from '../kinds/index.ts';

/** The ballot form of a question. */
export function BallotForm(props: FormProps) {
  const { Form } = kindFormOf(props.question);
  return <Form {...props} />;
}
