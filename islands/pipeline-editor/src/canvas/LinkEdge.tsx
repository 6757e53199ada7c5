// An arrow between two ports; what does not fit says why.
import { BaseEdge, type EdgeProps, getBezierPath } from "@xyflow/react";
import { memo, type ReactElement } from "react";
import type { CanvasEdge } from "./shape";

function LinkEdgeView({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition, data }: EdgeProps<CanvasEdge>): ReactElement {
  const [path, x, y] = getBezierPath({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition, curvature: 0.3 });
  const link = data?.link;
  return (
    <>
      {link && <title>{`${link.source_node} ${link.source_port} → ${link.target_node} ${link.target_port}${link.why ? `: ${link.why}` : ""}`}</title>}
      <BaseEdge path={path} interactionWidth={16} />
      {link?.fit === "never" && <path className="edge-mark" d={`M${x - 5},${y - 5}l10,10m0,-10l-10,10`} />}
    </>
  );
}

export const LinkEdge = memo(LinkEdgeView);
