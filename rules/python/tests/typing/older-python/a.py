from typing import List, Optional

a: List[int] = []
b: Optional[int] = None
