/** The maximum length of a guest’s nickname, in characters. It fits a line of a leaderboard. */
export const MAX_NICKNAME_LENGTH = 30;
