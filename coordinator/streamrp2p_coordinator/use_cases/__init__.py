"""What the coordinator does: one module and one public function each, safe to run twice."""
