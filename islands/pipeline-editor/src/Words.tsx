// A sentence in which names stand between backticks.
import type { ReactElement } from "react";

export function Words({ text }: { text: string }): ReactElement {
  return <>{text.split("`").map((part, place) => (place % 2 ? <code key={place}>{part}</code> : part))}</>;
}
