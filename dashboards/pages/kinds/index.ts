import type { KindName } from '../../../core/voting/kinds/definition.ts';
import type { KindForm } from '../ballot/form.ts';
import type { KindChart } from '../charts/drawing.ts';
import { motionChart, motionForm } from './motion.tsx';
import { multipleChart, multipleForm } from './multiple.tsx';
import { numericChart, numericForm } from './numeric.tsx';
import { pointsChart, pointsForm } from './points.tsx';
import { pulseChart, pulseForm } from './pulse.tsx';
import { quizChart, quizForm } from './quiz.tsx';
import { rankingChart, rankingForm } from './ranking.tsx';
import { ratingChart, ratingForm } from './rating.tsx';
import { scoreChart, scoreForm } from './score.tsx';
import { singleChart, singleForm } from './single.tsx';
import { textChart, textForm } from './text.tsx';

const forms: { readonly [Name in KindName]: KindForm<Name> } = {
  single: singleForm,
  motion: motionForm,
  multiple: multipleForm,
  rating: ratingForm,
  numeric: numericForm,
  points: pointsForm,
  ranking: rankingForm,
  score: scoreForm,
  quiz: quizForm,
  text: textForm,
  pulse: pulseForm,
};

const charts: { readonly [Name in KindName]: KindChart<Name> } = {
  single: singleChart,
  motion: motionChart,
  multiple: multipleChart,
  rating: ratingChart,
  numeric: numericChart,
  points: pointsChart,
  ranking: rankingChart,
  score: scoreChart,
  quiz: quizChart,
  text: textChart,
  pulse: pulseChart,
};

/** The ballot form for questions of a kind. A cached page may meet a kind that is newer than the page. */
export function kindFormOf({ kind }: { readonly kind: KindName }): KindForm {
  return forms[kind] ?? forms.single;
}

/** The charts for results of a kind. A screen that has been open for days may meet a kind that is newer than the page. */
export function kindChartOf({ kind }: { readonly kind: KindName }): KindChart {
  return charts[kind] ?? charts.single;
}
