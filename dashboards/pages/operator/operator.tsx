import { render } from 'preact';
import { preferredLanguage } from '../words/language.ts';
import { OperatorDesk } from './desk.tsx';
import { useOperatorLanguage } from './words.ts';
import './operator.css';

await useOperatorLanguage(preferredLanguage());
render(<OperatorDesk />, document.getElementById('page') as HTMLElement);
